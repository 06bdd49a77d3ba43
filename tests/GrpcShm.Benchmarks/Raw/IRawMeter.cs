namespace GrpcShm.Benchmarks.Raw;

/// <summary>Measures two processes that exchange bytes.</summary>
internal interface IRawMeter
{
    string Name { get; }

    /// <summary>Microseconds from sending a small message until it is back.</summary>
    (double P50, double P99) MeasureRoundTrip(TimeSpan duration);

    /// <summary>Bytes a second in one direction, in large blocks.</summary>
    double MeasureBytes(TimeSpan duration);
}
