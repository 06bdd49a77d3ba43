namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>How a measurement stands to an earlier one of the same.</summary>
internal enum Change
{
    /// <summary>The rounds of both lie among each other, or the difference is too small to matter.</summary>
    None,

    /// <summary>It got slower, beyond what the rounds differ by, and beyond what the Unix socket did.</summary>
    Slower,

    /// <summary>
    /// It got slower, but no more than the Unix socket did at the same time: the machine is slower, or the runtime.
    /// </summary>
    SlowerAsAll,

    /// <summary>It got faster, beyond what the rounds differ by, and beyond what the Unix socket did.</summary>
    Faster,
}
