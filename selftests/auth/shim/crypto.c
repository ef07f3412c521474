// SPDX-License-Identifier: GPL-2.0
/* The kernel's crypto library as OpenSSL has it; random bytes that are the same each time. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <linux/types.h>

#include "vr_bytes.h"
#include "vr_prng.h"

static void must(bool holds)
{
	if (!holds)
		abort();
}

void get_random_bytes(void *p, size_t bytes)
{
	static struct vr_prng prng = { .state = 1 };
	u8 *out = p;

	while (bytes--)
		*out++ = vr_prng_next(&prng);
}

int crypto_memneq(const void *a, const void *b, size_t bytes)
{
	return CRYPTO_memcmp(a, b, bytes);
}

void blake2s(u8 *out, const u8 *in, const u8 *key, const size_t outlen, const size_t inlen,
	     const size_t keylen)
{
	static EVP_MAC *mac;
	size_t size = outlen;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *context;

	if (!mac)
		mac = EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL);
	context = EVP_MAC_CTX_new(mac);
	must(context && EVP_MAC_init(context, key, keylen, params) &&
	     EVP_MAC_update(context, in, inlen) &&
	     EVP_MAC_final(context, out, &size, outlen) && size == outlen);
	EVP_MAC_CTX_free(context);
}

/* RFC 8439 with the 64-bit nonce of the kernel: 4 zero bytes before it. */
static EVP_CIPHER_CTX *start(bool encrypt, const u8 *ad, size_t ad_len, u64 nonce, const u8 *key)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	u8 iv[12] = { 0 };
	int i, bytes;

	for (i = 0; i < 8; i++)
		iv[4 + i] = nonce >> 8 * i;
	must(context &&
	     EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, key, iv, encrypt) &&
	     EVP_CipherUpdate(context, NULL, &bytes, ad, ad_len));
	return context;
}

/* A key must never see a nonce twice: this is where it would be seen. */
static void remember(const u8 *key, u64 nonce)
{
	static struct {
		u8 key[32];
		u64 nonce;
	} used[1 << 18];
	static u32 count;
	u64 at = vr_hash_mix(vr_hash_mix(vr_get64(key), vr_get64(key + 8)), nonce);

	/* A long run forgets: keys come from nonces, which do not come back. */
	if (count++ > VR_ARRAY_COUNT(used) / 2) {
		memset(used, 0, sizeof(used));
		count = 0;
	}
	for (;; at++) {
		u32 i = at % VR_ARRAY_COUNT(used);
		static const u8 none[32];

		must(memcmp(used[i].key, key, 32) || used[i].nonce != nonce);
		if (!memcmp(used[i].key, none, 32)) {
			memcpy(used[i].key, key, 32);
			used[i].nonce = nonce;
			return;
		}
	}
}

void chacha20poly1305_encrypt(u8 *dst, const u8 *src, const size_t src_len, const u8 *ad,
			      const size_t ad_len, const u64 nonce, const u8 *key)
{
	EVP_CIPHER_CTX *context = start(true, ad, ad_len, nonce, key);
	int bytes, more;

	remember(key, nonce);
	must(EVP_CipherUpdate(context, dst, &bytes, src, src_len) &&
	     EVP_CipherFinal_ex(context, dst + bytes, &more) &&
	     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, dst + src_len));
	EVP_CIPHER_CTX_free(context);
}

bool chacha20poly1305_decrypt(u8 *dst, const u8 *src, const size_t src_len, const u8 *ad,
			      const size_t ad_len, const u64 nonce, const u8 *key)
{
	EVP_CIPHER_CTX *context = start(false, ad, ad_len, nonce, key);
	int bytes = 0, more;
	bool good;

	must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16,
				 (void *)(src + src_len - 16)) &&
	     EVP_CipherUpdate(context, dst, &bytes, src, src_len - 16));
	good = EVP_CipherFinal_ex(context, dst + bytes, &more);
	EVP_CIPHER_CTX_free(context);
	return good;
}
