# Packages, musl and the container. Debian's packages are made of the tree as it is: a copy of it, with deploy/debian where Debian's
# tools look for it.
deb_tree = $(B)/deb/braid-$(VERSION)

.PHONY: deb deb-check musl container-check
deb: ## the Debian packages braid, libbraid-socket1, libbraid-dev and braid-doc, in build/deb
	@deploy/install-deps.sh deb
	rm -rf $(deb_tree) $(wildcard $(B)/deb/*.*)
	mkdir -p $(deb_tree)
	git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t $(deb_tree)
	mv $(deb_tree)/deploy/debian $(deb_tree)/debian
	cd $(deb_tree) && dpkg-buildpackage -us -uc -b -j$(JOBS)
deb-check: deb ## lintian; and the packages installed, started, upgraded with connections alive and purged in a Debian of their own (needs root)
	tests/deb/check $(B)/deb
musl: ## compile everything with musl, and link braid-connect statically
	@deploy/install-deps.sh musl
	tests/checks/musl.sh build-musl
container-check: ## build the container of deploy/container and have it serve, where there is podman or docker (needs root)
	@deploy/install-deps.sh deb
	mkdir -p $(B)/deb
	tests/container/check $(B)/deb/bare
