public import KernelTemplates

// Instantiations, nothing else: the text is in KernelTemplates, the compiler flags are this module's.
extension AVX512Float: KernelSet {}
extension AVX512Double: KernelSet {}
