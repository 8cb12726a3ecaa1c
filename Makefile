# The project's commands. Each sets up what it needs; nothing has to be installed by hand before.
export STACK ?= lab-k3s

node := node_modules/.bin/node
stamp := node_modules/.triad-stamp

.DEFAULT_GOAL := help
.PHONY: help lab lab-down check test test-all bench crash-matrix verify recover rollback toolchain toolchain-check toolchain-lab modules

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

lab: toolchain-lab ## rehearse one server to three in a lab on this computer, and leave it running
	@$(node) lab/run.ts --stack $(STACK)

lab-down: modules ## end the lab and remove all of it
	@./lab/ctl down

check: toolchain-check ## lint, types, format, shell scripts and the tests that need no lab
	@$(node) tools/check/main.ts

test: toolchain-check toolchain-lab ## check, and a sample of the lab's specs
	@$(node) tools/check/main.ts --specs sample

test-all: toolchain-check toolchain-lab ## check, and every spec of the lab
	@$(node) tools/check/main.ts --specs all

bench: toolchain-lab ## measure one server to three, and losses of power, in the lab
	@$(node) lab/bench.ts

crash-matrix: toolchain-lab ## interrupt one to three at every step: DISTRIBUTION=k3s|kubeadm [CASES=pattern]
	@$(node) lab/crashMatrix/main.ts --distribution "$(or $(DISTRIBUTION),k3s)" --cases "$(CASES)"

verify: modules ## look at the real cluster of the chosen stack, changing nothing
	@$(node) tools/verify.ts $(STACK)

recover: modules ## go on with one server when most are lost: STACK=… SERVER=name [SNAPSHOT=path] [YES=cluster]
	@$(node) tools/recover.ts $(STACK) --server "$(SERVER)" $(if $(SNAPSHOT),--snapshot "$(SNAPSHOT)") $(if $(YES),--yes "$(YES)")

rollback: modules ## take a server's disk back to a checkpoint: STACK=… SERVER=name [CHECKPOINT=name] [YES=server]
	@$(node) tools/rollback.ts $(STACK) --server "$(SERVER)" $(if $(CHECKPOINT),--checkpoint "$(CHECKPOINT)") $(if $(YES),--yes "$(YES)")

toolchain: modules ## set up Pulumi and its plugins
	@$(node) tools/toolchain/main.ts

toolchain-check: modules
	@$(node) tools/toolchain/main.ts --check

toolchain-lab: modules
	@$(node) tools/toolchain/main.ts --lab

# Scripts of packages are left out: one would fetch a plugin, others would compile what is not used.
# The package `node` is the exception, since its script puts the pinned Node in place.
modules:
	@hash=$$(cat package.json package-lock.json | sha256sum); \
	if [ "$$hash" != "$$(cat $(stamp) 2>/dev/null)" ] || ! [ -x $(node) ]; then \
	  echo "npm ci" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
	  npm rebuild node --foreground-scripts=false --loglevel=error >/dev/null && \
	  echo "$$hash" > $(stamp); \
	fi
