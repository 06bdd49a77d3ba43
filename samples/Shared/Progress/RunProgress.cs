namespace Samples;

/// <summary>
/// How far a run is. The run moves it from part to part. A view reads it from time to time, on another thread.
/// </summary>
internal sealed class RunProgress(TimeProvider clock)
{
    // Written by the run, read by the view. A part never changes but for the number of what is done in it, which is
    // written and read whole. If the view reads an old number, it shows the new one with its next look.
    private Part _part = new("starting", 0, null, clock.GetTimestamp());

    /// <summary>Begins the next part.</summary>
    /// <param name="what">What the run does now.</param>
    /// <param name="total">How many steps this part has; 0 if their number is not known.</param>
    /// <param name="readDone">Reads how many are done; null if the run reports them.</param>
    public void Begin(string what, long total = 0, Func<long>? readDone = null) =>
        Volatile.Write(ref _part, new Part(what, total, readDone, clock.GetTimestamp()));

    /// <summary>Reports how many steps of the present part are done.</summary>
    public void Report(long done) => Volatile.Write(ref Volatile.Read(ref _part).Done, done);

    /// <summary>Adds one to the steps that are done. Several threads may do so.</summary>
    public void Advance() => Interlocked.Increment(ref Volatile.Read(ref _part).Done);

    public ProgressState Read()
    {
        var part = Volatile.Read(ref _part);
        var done = part.ReadDone?.Invoke() ?? Volatile.Read(ref part.Done);
        return new ProgressState(part.What, Math.Min(done, part.Total), part.Total, clock.GetElapsedTime(part.Began));
    }

    private sealed class Part(string what, long total, Func<long>? readDone, long began)
    {
        public long Done;

        public string What => what;

        public long Total => total;

        public Func<long>? ReadDone => readDone;

        public long Began => began;
    }
}
