/**
 * Sensirion's Gas Index Algorithm, version 3.2.0, in double precision: raw ticks of an SGP40 or SGP41 become an index.
 *
 * Copyright (c) 2022, Sensirion AG. All rights reserved. Ported from C under its BSD 3-clause licence:
 *
 * Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
 * following conditions are met: * Redistributions of source code must retain the above copyright notice, this list of
 * conditions and the following disclaimer. * Redistributions in binary form must reproduce the above copyright notice,
 * this list of conditions and the following disclaimer in the documentation and/or other materials provided with the
 * distribution. * Neither the name of Sensirion AG nor the names of its contributors may be used to endorse or promote
 * products derived from this software without specific prior written permission.
 *
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
 * INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
 * DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
 * SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
 * SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
 * WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
 * THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */

/** What differs between the two gases. */
const GAS = {
  voc: {
    indexOffset: 100,
    srawMinimum: 20_000,
    gatingMaxMinutes: 180,
    initDurationMeanS: 2700,
    initDurationVarianceS: 5220,
    gatingThreshold: 340,
    tauInitialMeanS: 20,
    sigmoid: { k: -0.0065, x0: 213 },
  },
  nox: {
    indexOffset: 1,
    srawMinimum: 10_000,
    gatingMaxMinutes: 720,
    initDurationMeanS: 17_100,
    initDurationVarianceS: 20_520,
    gatingThreshold: 30,
    tauInitialMeanS: 1200,
    sigmoid: { k: -0.0101, x0: 614 },
  },
} as const;
export type Gas = keyof typeof GAS;

/** The raw signal is called at this interval, and the constants below hold for it. */
const INTERVAL_S = 1;
const BLACKOUT_S = 45;
const INDEX_GAIN = 230;
const SRAW_STD_INITIAL = 50;
const SRAW_STD_BONUS_VOC = 220;
const SRAW_STD_NOX = 2000;
const TAU_HOURS = 12;
const TAU_INITIAL_VARIANCE_S = 2500;
const INIT_TRANSITION = 0.01;
const GATING_THRESHOLD_INITIAL = 510;
const GATING_TRANSITION = 0.09;
const GATING_MAX_RATIO = 0.3;
const SIGMOID_L = 500;
const LOWPASS = { tauFastS: 20, tauSlowS: 500, alpha: -0.2 };
const GAMMA_SCALING = 64;
const ADDITIONAL_GAMMA_MEAN_SCALING = 8;
const UPTIME_LIMIT_S = 32_767 - INTERVAL_S;
/** How far a state that was learnt for three hours is taken for learnt. */
const PERSISTENCE_UPTIME_S = 3 * 3600;

/** What it has learnt of the sensor and the room. Worth keeping after three hours, for ten minutes, and for VOC alone. */
export interface Learnt {
  readonly mean: number;
  readonly std: number;
}

/** How long the index is still settling after a start. */
export function settlingMs(gas: Gas): number {
  return GAS[gas].initDurationMeanS * 1000;
}

export class GasIndex {
  readonly #gas: Gas;
  readonly #estimator: MeanVarianceEstimator;
  readonly #lowpass = new AdaptiveLowpass();
  #uptimeS = 0;
  #sraw = 0;
  #index = 0;

  constructor(gas: Gas, learnt?: Learnt) {
    this.#gas = gas;
    this.#estimator = new MeanVarianceEstimator(gas, learnt);
    if (learnt) this.#sraw = learnt.mean;
  }

  get learnt(): Learnt {
    return { mean: this.#estimator.mean, std: this.#estimator.std };
  }

  /** One raw signal a second -> the index, 1 to 500; undefined in the first 45 seconds. */
  process(raw: number): number | undefined {
    if (this.#uptimeS <= BLACKOUT_S) {
      this.#uptimeS += INTERVAL_S;
      return undefined;
    }
    const { srawMinimum, indexOffset } = GAS[this.#gas];
    if (raw > 0 && raw < 65_000) {
      this.#sraw = Math.min(srawMinimum + 32_767, Math.max(srawMinimum + 1, raw)) - srawMinimum;
    }
    const isKnown = this.#gas === "voc" || this.#estimator.isInitialized;
    const index = isKnown ? scaledSigmoid(this.#moxModel(), this.#gas) : indexOffset;
    this.#index = Math.max(0.5, this.#lowpass.process(index));
    if (this.#sraw > 0) this.#estimator.process(this.#sraw, this.#index);
    return Math.floor(this.#index + 0.5);
  }

  #moxModel(): number {
    const off = this.#sraw - this.#estimator.mean;
    if (this.#gas === "nox") return (off / SRAW_STD_NOX) * INDEX_GAIN;
    return (off / -(this.#estimator.std + SRAW_STD_BONUS_VOC)) * INDEX_GAIN;
  }
}

class MeanVarianceEstimator {
  readonly #gas: Gas;
  #mean = 0;
  #offset = 0;
  #std = SRAW_STD_INITIAL;
  #uptimeGammaS = 0;
  #uptimeGatingS = 0;
  #gatingMinutes = 0;
  #gamma = { mean: 0, variance: 0 };
  isInitialized = false;

  constructor(gas: Gas, learnt?: Learnt) {
    this.#gas = gas;
    if (!learnt) return;
    this.#mean = learnt.mean;
    this.#std = learnt.std;
    this.#uptimeGammaS = PERSISTENCE_UPTIME_S;
    this.isInitialized = true;
  }

  get mean(): number {
    return this.#mean + this.#offset;
  }

  get std(): number {
    return this.#std;
  }

  process(sraw: number, index: number): void {
    if (!this.isInitialized) {
      this.isInitialized = true;
      this.#offset = sraw;
      this.#mean = 0;
      return;
    }
    if (Math.abs(this.#mean) >= 100) {
      this.#offset += this.#mean;
      this.#mean = 0;
    }
    this.#calculateGamma(index);
    const delta = (sraw - this.#offset - this.#mean) / GAMMA_SCALING;
    const c = this.#std + Math.abs(delta);
    const scaling = c > 1440 ? (c / 1440) ** 2 : 1;
    const { mean, variance } = this.#gamma;
    this.#std =
      Math.sqrt(scaling * (GAMMA_SCALING - variance)) *
      Math.sqrt(this.#std * (this.#std / (GAMMA_SCALING * scaling)) + ((variance * delta) / scaling) * delta);
    this.#mean += (mean * delta) / ADDITIONAL_GAMMA_MEAN_SCALING;
  }

  #calculateGamma(index: number): void {
    const facts = GAS[this.#gas];
    if (this.#uptimeGammaS < UPTIME_LIMIT_S) this.#uptimeGammaS += INTERVAL_S;
    if (this.#uptimeGatingS < UPTIME_LIMIT_S) this.#uptimeGatingS += INTERVAL_S;
    const settled = gammas(this.#gas);

    const young = sigmoid(this.#uptimeGammaS, facts.initDurationMeanS, INIT_TRANSITION);
    const gammaMean = settled.mean + (settled.initialMean - settled.mean) * young;
    const gatingMean = this.#gating(index, facts.initDurationMeanS);
    const youngVariance = sigmoid(this.#uptimeGammaS, facts.initDurationVarianceS, INIT_TRANSITION) - young;
    const gammaVariance = settled.variance + (settled.initialVariance - settled.variance) * youngVariance;
    const gatingVariance = this.#gating(index, facts.initDurationVarianceS);
    this.#gamma = { mean: gatingMean * gammaMean, variance: gatingVariance * gammaVariance };

    const step = (INTERVAL_S / 60) * ((1 - gatingMean) * (1 + GATING_MAX_RATIO) - GATING_MAX_RATIO);
    this.#gatingMinutes = Math.max(0, this.#gatingMinutes + step);
    if (this.#gatingMinutes > facts.gatingMaxMinutes) this.#uptimeGatingS = 0;
  }

  /** 0 where the index is so high that nothing is learnt of it. */
  #gating(index: number, initDurationS: number): number {
    const { gatingThreshold } = GAS[this.#gas];
    const young = sigmoid(this.#uptimeGatingS, initDurationS, INIT_TRANSITION);
    const threshold = gatingThreshold + (GATING_THRESHOLD_INITIAL - gatingThreshold) * young;
    return sigmoid(index, threshold, GATING_TRANSITION);
  }
}

function gammas(gas: Gas) {
  const intervalHours = INTERVAL_S / 3600;
  const variance = (GAMMA_SCALING * intervalHours) / (TAU_HOURS + intervalHours);
  const initial = (GAMMA_SCALING * INTERVAL_S) / (GAS[gas].tauInitialMeanS + INTERVAL_S);
  return {
    mean: ADDITIONAL_GAMMA_MEAN_SCALING * variance,
    variance,
    initialMean: ADDITIONAL_GAMMA_MEAN_SCALING * initial,
    initialVariance: (GAMMA_SCALING * INTERVAL_S) / (TAU_INITIAL_VARIANCE_S + INTERVAL_S),
  };
}

function sigmoid(sample: number, x0: number, k: number): number {
  const x = k * (sample - x0);
  if (x < -50) return 1;
  if (x > 50) return 0;
  return 1 / (1 + Math.exp(x));
}

function scaledSigmoid(sample: number, gas: Gas): number {
  const {
    indexOffset,
    sigmoid: { k, x0 },
  } = GAS[gas];
  const x = k * (sample - x0);
  if (x < -50) return SIGMOID_L;
  if (x > 50) return 0;
  if (sample < 0) return SIGMOID_L / (1 + Math.exp(x));
  const shift = gas === "nox" ? (500 / 499) * (1 - indexOffset) : (SIGMOID_L - 5 * indexOffset) / 4;
  return (SIGMOID_L + shift) / (1 + Math.exp(x)) - shift;
}

class AdaptiveLowpass {
  #fast: number | undefined;
  #slow = 0;
  #adaptive = 0;

  process(sample: number): number {
    if (this.#fast === undefined) {
      this.#fast = sample;
      this.#slow = sample;
      this.#adaptive = sample;
    }
    const { tauFastS, tauSlowS, alpha } = LOWPASS;
    const follow = (value: number, tauS: number) => {
      const share = INTERVAL_S / (tauS + INTERVAL_S);
      return (1 - share) * value + share * sample;
    };
    this.#fast = follow(this.#fast, tauFastS);
    this.#slow = follow(this.#slow, tauSlowS);
    const tauS = (tauSlowS - tauFastS) * Math.exp(alpha * Math.abs(this.#fast - this.#slow)) + tauFastS;
    this.#adaptive = follow(this.#adaptive, tauS);
    return this.#adaptive;
  }
}
