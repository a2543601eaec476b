# Sourced by the scripts beside it: takes VENV from the arguments or the environment (else .venv-bench in the working directory),
# makes it where it is absent, and installs $packages where $imports cannot be imported.

venv=${VENV:-.venv-bench}
case ${1:-} in
-* | "") ;;
*)
	venv=$1
	shift
	;;
esac

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c "import $imports" 2>/dev/null || "$venv/bin/python" -m pip install --quiet $packages
venv=$(CDPATH= cd -- "$venv" && pwd)
