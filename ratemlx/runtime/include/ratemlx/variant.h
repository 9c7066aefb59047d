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
#ifndef RATEMLX_HISTORY
#define RATEMLX_HISTORY 0  // a history is kept as 0 the kernel computes, 1 float16, 2 bfloat16, 3 float32
#endif
#ifndef RATEMLX_FORM
#define RATEMLX_FORM 0  // CUDA: 0 a launch for each block of steps, 1 a launch for any number of steps (see abi.h)
#endif
#ifndef RATEMLX_ROWS
#define RATEMLX_ROWS 1  // CUDA, form 1: regions of a tile that a thread block advances at the same time
#endif
#ifndef RATEMLX_WARPS
#define RATEMLX_WARPS 0  // CUDA: warps that a multiprocessor must have registers for; 0: as the compiler likes
#endif
#ifndef RATEMLX_FAST_MATH
#define RATEMLX_FAST_MATH 0  // CUDA, float32: 1 draws normal deviates with the device's own approximations
#endif
// RATEMLX_OBSERVE: bit i keeps the i-th exposure; a kernel's own default is all of them
#ifdef RATEMLX_FLOAT64
#define RATEMLX_LARGEST DBL_MAX
#else
#define RATEMLX_LARGEST FLT_MAX
#endif
