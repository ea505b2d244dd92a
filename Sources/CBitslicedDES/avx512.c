// 512 lanes with AVX-512: vpternlog looks up three bits at once.
#include "bitsliced_des.h"
#ifdef __x86_64__
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl"))), apply_to = function)

typedef uint64_t V __attribute__((vector_size(64)));
#define TITLE "AVX-512"
#define LANES 512
#define NAME(x) avx512_##x
#define SBOX static inline __attribute__((always_inline))
#define AND(a, b) ((a) & (b))
#define OR(a, b) ((a) | (b))
#define XOR(a, b) ((a) ^ (b))
#define LOOKUP(table, a, b, c) ((V)_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(c), table))
#define LEFT(a, n) ((a) << (n))
#define RIGHT(a, n) ((a) >> (n))
#define ALL(word) ((V)_mm512_set1_epi64((long long)(word)))
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
#include "sbox_probe.h"
static void probe_planes(int box, const V *inputs, V *outputs) { probe(box, inputs, outputs); }
#pragma clang attribute pop

static int is_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
const kmsd_des_kernel *kmsd_des_avx512(void) { return is_supported() ? &kernel : 0; }
void kmsd_des_avx512_sbox(int box, const void *inputs, void *outputs) { probe_planes(box, inputs, outputs); }
#else
const kmsd_des_kernel *kmsd_des_avx512(void) { return 0; }
void kmsd_des_avx512_sbox(int box, const void *inputs, void *outputs) {}
#endif
