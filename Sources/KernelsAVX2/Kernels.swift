public import KernelTemplates

// Instantiations, nothing else: the text is in KernelTemplates, the compiler flags are this module's.
extension AVX2Float: KernelSet {}
extension AVX2Double: KernelSet {}
