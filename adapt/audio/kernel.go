package audio

import (
	"fmt"
	"math"
)

// Resampling names a way to change the sample rate. It changes features, so whoever computes some records its Settings.
type Resampling string

// The ways to resample.
const (
	// Kaiser is band-limited: what lies above the lower of the two Nyquist frequencies is at least 120 dB down, what lies
	// below 0.91 of it is untouched. The zero value of Resampling means the same.
	Kaiser Resampling = "kaiser"
	// Torchaudio is the default of torchaudio.transforms.Resample (sinc_interp_hann, lowpass_filter_width 6, rolloff 0.99),
	// with which MERT's usage code prepares audio. It lets aliases just above the Nyquist frequency through at −14 dB.
	Torchaudio Resampling = "torchaudio"
)

// ParseResampling returns the way of that name; "" is Kaiser. Another name is an error that lists them.
func ParseResampling(name string) (Resampling, error) {
	switch r := Resampling(name); r {
	case "":
		return Kaiser, nil
	case Kaiser, Torchaudio:
		return r, nil
	}
	return "", fmt.Errorf("resampler %q, want %s or %s", name, Kaiser, Torchaudio)
}

// Settings returns the name with the settings that belong to it, for provenance.
func (r Resampling) Settings() string {
	if r == Torchaudio {
		return fmt.Sprintf("torchaudio (sinc_interp_hann, lowpass_filter_width %d, rolloff %g)", hannZeros, hannRolloff)
	}
	return fmt.Sprintf("kaiser (windowed sinc, %d zero crossings, beta %.4f, rolloff %.4f)", kaiserZeros, kaiserBeta(), kaiserRolloff())
}

// The Kaiser window's length, in zero crossings of the sinc on each side, and its stop-band, in dB. The pass-band ends where that of
// soxr's VHQ does.
const (
	kaiserZeros = 88
	kaiserStop  = 125.0
)

// kaiserBeta is Kaiser's formula for the window's shape: β = 0.1102·(A − 8.7) for A > 50 dB.
func kaiserBeta() float64 { return 0.1102 * (kaiserStop - 8.7) }

// kaiserRolloff is the cut-off, relative to the lower Nyquist frequency, at which the stop-band begins at exactly that frequency. By
// Kaiser's formula a window of N+1 taps has a transition of Δω = (A − 7.95)/(2.285·N); with N = 2·zeros/c and half of Δω/π on each
// side of the cut-off c, 1 − c = c·(A − 7.95)/(2.285·π·4·zeros).
func kaiserRolloff() float64 { return 1 / (1 + (kaiserStop-7.95)/(2.285*math.Pi*4*kaiserZeros)) }

// torchaudio's defaults.
const (
	hannZeros   = 6
	hannRolloff = 0.99
)

// kernel is an even low-pass impulse response over time in input samples, zero at ±half and beyond.
type kernel struct {
	half float64
	at   func(u float64) float64
}

// kernel returns the low-pass for rates whose ratio, output to input, is given:
//
//	h(u) = b·sinc(b·u)·window(u/half), b = rolloff·min(1, ratio), half = zeros/b
func (r Resampling) kernel(ratio float64) kernel {
	zeros, rolloff := float64(kaiserZeros), kaiserRolloff()
	beta := kaiserBeta()
	top := bessel0(beta)
	window := func(x float64) float64 { return bessel0(beta*math.Sqrt(1-x*x)) / top }
	if r == Torchaudio {
		zeros, rolloff = hannZeros, hannRolloff
		window = func(x float64) float64 { c := math.Cos(x * math.Pi / 2); return c * c }
	}
	b := rolloff * min(1, ratio)
	half := zeros / b
	return kernel{half: half, at: func(u float64) float64 {
		if math.Abs(u) >= half {
			return 0
		}
		return b * sinc(b*u) * window(u/half)
	}}
}

// sinc is sin(πx)/(πx).
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// bessel0 is the modified Bessel function of the first kind and order zero, Σ ((x/2)ᵏ/k!)², to float64's precision.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		f := x / (2 * k)
		term *= f * f
		sum += term
	}
	return sum
}
