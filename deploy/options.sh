# shellcheck shell=bash
# What deploy/build and deploy/run have in common: their options, and how Docker is called.

fail() {
  echo "${0##*/}: $1" >&2
  exit 2
}

# Stops unless an option has a value: needs_value OPTION [VALUE]
needs_value() {
  [ -n "${2:-}" ] || fail "$1 needs a value"
}

# Sets dry_run, push, services and the variables of compose.yaml.
parse() {
  dry_run=false push=false services=()
  while [ $# -gt 0 ]; do
    case $1 in
      --registry) needs_value "$@" && export CREATIVEAI_REGISTRY=$2 && shift ;;
      --tag) needs_value "$@" && export CREATIVEAI_TAG=$2 && shift ;;
      --host) needs_value "$@" && export DOCKER_HOST=$2 && shift
        [[ $DOCKER_HOST == *://* ]] || DOCKER_HOST=ssh://$DOCKER_HOST ;;
      --api) needs_value "$@" && export CREATIVEAI_API_URL=$2 && shift ;;
      --push) push=true ;;
      --dry-run) dry_run=true ;;
      -h | --help) usage && exit 0 ;;
      -*) fail "there is no option $1; --help lists them" ;;
      *) services+=("$1") ;;
    esac
    shift
  done
  if [ ${#services[@]} = 0 ]; then services=(model-server page tensorboard); fi
  local service
  for service in "${services[@]}"; do
    grep -q "^  $service:\$" compose.yaml || fail "there is no service $service in compose.yaml"
  done
  if $push && [ -z "${CREATIVEAI_REGISTRY:-}" ]; then fail "--push needs --registry"; fi
  $dry_run || docker compose version >/dev/null 2>&1 || fail "needs Docker with its compose plugin"
}

# Runs `docker compose`, or with --dry-run says what would be run, with the variables that it would get.
compose() {
  if $dry_run; then
    local name
    for name in DOCKER_HOST CREATIVEAI_REGISTRY CREATIVEAI_TAG CREATIVEAI_API_URL; do
      [ -z "${!name:-}" ] || printf '%s=%q ' "$name" "${!name}"
    done
    echo "docker compose $*"
  else
    docker compose "$@"
  fi
}
