# Every recipe is a script in scripts/, which says at its head what it does. Root or sudo, Debian 12, Swift 6.3.
.PHONY: help run test bench fuzz constant-time schemathesis format lint clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 18
	@echo "  make run ONCE=1  the same, but end after the story"

run:  ## install, build, start everything on virtual cards, tell the story, stay up until Ctrl-C
	@exec env ONCE='$(ONCE)' scripts/run

test:  ## install, build, run every test, the story and the outsider's check
	@exec scripts/test

bench:  ## measure (release build, beside redis, nginx, SoftHSM2 and libcrypto)
	@exec scripts/bench

fuzz:  ## libFuzzer on everything that reads bytes from outside (TIME=60 seconds for each target)
	@exec env TIME='$(or $(TIME),60)' scripts/fuzz

constant-time:  ## show under valgrind that comparisons and the bit-sliced DES keep their secrets
	@exec scripts/constant-time

schemathesis:  ## attack the HTTP door with what its OpenAPI document allows and forbids
	@exec scripts/schemathesis

format:  ## format all Swift sources in place
	swift format format -i -p -r Sources Tests Package.swift

lint:  ## check the format of all Swift sources
	swift format lint --strict -p -r Sources Tests Package.swift

clean:  ## remove what was built and run here (not the packages)
	rm -rf .build var
