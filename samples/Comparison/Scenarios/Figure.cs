namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>The figure by which the transports are compared in a scenario.</summary>
internal enum Figure
{
    /// <summary>The median latency: less is better.</summary>
    P50,

    /// <summary>Operations a second: more is better.</summary>
    Rate,
}
