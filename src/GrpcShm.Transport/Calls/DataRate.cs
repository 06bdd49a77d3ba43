namespace GrpcShm.Transport.Calls;

/// <summary>The lowest rate at which data has to move, and a time for which no rate is demanded.</summary>
internal readonly record struct DataRate(double BytesPerSecond, TimeSpan GracePeriod)
{
    /// <summary>How long so many bytes may take, in ticks.</summary>
    public long TicksFor(long bytes) => Math.Max(GracePeriod.Ticks, TicksWithoutGrace(bytes));

    /// <summary>How long so many bytes take at this rate, in ticks.</summary>
    public long TicksWithoutGrace(long bytes) =>
        (long)Math.Min(bytes / BytesPerSecond * TimeSpan.TicksPerSecond, long.MaxValue / 4);
}
