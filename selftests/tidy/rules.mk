# SPDX-License-Identifier: GPL-2.0
# What can be said about the source without running it.

CHECK_TARGETS += lint

lint: | provision-build provision-lint ## W=1, sparse, checkpatch --strict, manual pages, the project's own rules
	@selftests/tidy/lint.sh $(KVER)
