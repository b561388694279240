# Tab completes `python -m src ...`, in bash and zsh, in the folder of this repository: source scripts/completion.sh
if [ -n "${ZSH_VERSION-}" ]; then
    autoload -U +X compinit bashcompinit && compinit && bashcompinit
fi

_python_m_src() {
    if [ "${COMP_WORDS[1]}" != -m ] || [ "${COMP_WORDS[2]}" != src ]; then
        COMPREPLY=()
        return
    fi
    local IFS=$'\n' words=${COMP_WORDS[*]:2}
    COMPREPLY=($(COMP_WORDS=$words COMP_CWORD=$((COMP_CWORD - 2)) _SRC_COMPLETE=complete_bash "${COMP_WORDS[0]}" -m src 2>/dev/null))
}

# Whatever else is typed after python is completed by the names of files, as before.
complete -o default -F _python_m_src python python3
