namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// Waits for another process without a system call while that process works, and sleeps when it has nothing to do. An
/// unused peer must not take a processor away from the current measurement.
/// </summary>
/// <param name="maxSleeps">The number of sleeps of a millisecond after which the other process must be dead.</param>
internal struct SpinThenSleep(int maxSleeps)
{
    private const int Spins = 2_000;
    private const int Yields = 6_000;

    private int _count;

    public void Once()
    {
        if (_count < Spins)
        {
            Thread.SpinWait(1);
        }
        else if (_count < Yields)
        {
            // This also makes it work, slowly, if both processes share one processor.
            Thread.Yield();
        }
        else if (_count - Yields < maxSleeps)
        {
            Thread.Sleep(1);
        }
        else
        {
            throw new TimeoutException("The other process does not respond any more.");
        }

        _count++;
    }
}
