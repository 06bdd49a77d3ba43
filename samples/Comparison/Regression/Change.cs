namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>The result of comparing a measurement with an earlier one.</summary>
internal enum Change
{
    /// <summary>The rounds of both overlap, or the difference is too small to matter.</summary>
    None,

    /// <summary>It got slower, by more than the rounds differ, and by more than the Unix socket did.</summary>
    Slower,

    /// <summary>
    /// It got slower, but no more than the Unix socket did at the same time: the machine is slower, or the runtime.
    /// </summary>
    SlowerAsAll,

    /// <summary>It got faster, by more than the rounds differ, and by more than the Unix socket did.</summary>
    Faster,
}
