// Compile-time switches of a generated kernel, with what each stands for; ratemlx/abi.py sets them.
#pragma once
#include <cfloat>

#ifndef RATEMLX_BLOCK
#define RATEMLX_BLOCK 16  // steps that a region is advanced by at once; at most the smallest delay plus one
#endif
#ifndef RATEMLX_INTEGRATOR
#define RATEMLX_INTEGRATOR 0  // 0 Euler, 1 Heun, 2 Runge-Kutta 4
#endif
#ifndef RATEMLX_NOISE
#define RATEMLX_NOISE 1
#endif
#ifndef RATEMLX_COMMON_NOISE
#define RATEMLX_COMMON_NOISE 0  // 1: all instances see the same noise
#endif
#ifndef RATEMLX_REGIONAL
#define RATEMLX_REGIONAL 0  // 1: parameters have a factor for each region
#endif
#ifndef RATEMLX_STIMULI
#define RATEMLX_STIMULI 0  // 1: inputs have a time course and a pattern over regions; else they are zero
#endif
// RATEMLX_OBSERVE: bit i keeps the i-th exposure; a kernel's own default is all of them
#ifdef RATEMLX_FLOAT64
#define RATEMLX_LARGEST DBL_MAX
#else
#define RATEMLX_LARGEST FLT_MAX
#endif
