// 256 lanes with the look-ups of AVX-512: for passes that would leave half of 512 lanes empty.
#include "bitsliced_des.h"
#ifdef __x86_64__
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl"))), apply_to = function)

typedef uint64_t V __attribute__((vector_size(32)));
#define TITLE "AVX-512, 256 lanes"
#define LANES 256
#define NAME(x) avx512_half_##x
#define SBOX static inline __attribute__((always_inline))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define LOOKUP(table, a, b, c) ((V)_mm256_ternarylogic_epi64((__m256i)(a), (__m256i)(b), (__m256i)(c), table))
#define LEFT(a, n) ((a) << (n))
#define RIGHT(a, n) ((a) >> (n))
#define ALL(word) ((V)_mm256_set1_epi64x((long long)(word)))
#define WIPE_REGISTERS _mm256_zeroall(); __asm__ volatile(\
    "vpxorq %%zmm16, %%zmm16, %%zmm16\n vpxorq %%zmm17, %%zmm17, %%zmm17\n vpxorq %%zmm18, %%zmm18, %%zmm18\n"\
    "vpxorq %%zmm19, %%zmm19, %%zmm19\n vpxorq %%zmm20, %%zmm20, %%zmm20\n vpxorq %%zmm21, %%zmm21, %%zmm21\n"\
    "vpxorq %%zmm22, %%zmm22, %%zmm22\n vpxorq %%zmm23, %%zmm23, %%zmm23\n vpxorq %%zmm24, %%zmm24, %%zmm24\n"\
    "vpxorq %%zmm25, %%zmm25, %%zmm25\n vpxorq %%zmm26, %%zmm26, %%zmm26\n vpxorq %%zmm27, %%zmm27, %%zmm27\n"\
    "vpxorq %%zmm28, %%zmm28, %%zmm28\n vpxorq %%zmm29, %%zmm29, %%zmm29\n vpxorq %%zmm30, %%zmm30, %%zmm30\n"\
    "vpxorq %%zmm31, %%zmm31, %%zmm31\n" ::: "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",\
    "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31");
#include "sbox_lookups.h"
#include "kernel.h"
#pragma clang attribute pop

static int is_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
const kmsd_des_kernel *kmsd_des_avx512_half(void) { return is_supported() ? &kernel : 0; }
#else
const kmsd_des_kernel *kmsd_des_avx512_half(void) { return 0; }
#endif
