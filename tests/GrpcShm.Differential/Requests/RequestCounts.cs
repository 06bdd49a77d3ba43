namespace GrpcShm.Differential.Requests;

/// <summary>Counts the outcomes of a run's requests. For any thread.</summary>
internal sealed class RequestCounts
{
    private long _all;
    private long _handled;
    private long _refused;
    private long _refusedDirect;

    public long All => Volatile.Read(ref _all);

    public long Handled => Volatile.Read(ref _handled);

    public long Refused => Volatile.Read(ref _refused);

    public long RefusedDirect => Volatile.Read(ref _refusedDirect);

    public void Add(Attempt direct, Attempt kestrel)
    {
        Interlocked.Increment(ref _all);
        switch (direct.IsHandled, kestrel.IsHandled)
        {
            case (true, true):
                Interlocked.Increment(ref _handled);
                break;
            case (false, false):
                Interlocked.Increment(ref _refused);
                break;
            case (false, true):
                Interlocked.Increment(ref _refusedDirect);
                break;
        }
    }
}
