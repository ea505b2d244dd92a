// 256 lanes with AVX2.
#include "bitsliced_des.h"
#ifdef __x86_64__
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)

typedef uint64_t V __attribute__((vector_size(32)));
#define TITLE "AVX2"
#define LANES 256
#define NAME(x) avx2_##x
#define SBOX static inline __attribute__((always_inline))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define ANDNOT(a, b) ((a) & ~(b))
#define NOT(a) (~(a))
#define LEFT(a, n) ((a) << (n))
#define RIGHT(a, n) ((a) >> (n))
#define ALL(word) ((V)_mm256_set1_epi64x((long long)(word)))
#define WIPE_REGISTERS _mm256_zeroall();
#include "sbox_gates.h"
#include "kernel.h"
#pragma clang attribute pop

const kmsd_des_kernel *kmsd_des_avx2(void) { return __builtin_cpu_supports("avx2") ? &kernel : 0; }
#else
const kmsd_des_kernel *kmsd_des_avx2(void) { return 0; }
#endif
