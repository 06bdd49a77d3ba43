namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// Waits for another process without a system call while that process is at work, and lets the processor go when it has
/// nothing to do: a peer that nobody talks to must not take a processor from what is measured meanwhile.
/// </summary>
/// <param name="maxSleeps">After so many sleeps of a millisecond the other process must be dead.</param>
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
            // Also what makes it work, slowly, where both processes have one processor.
            Thread.Yield();
        }
        else if (_count - Yields < maxSleeps)
        {
            Thread.Sleep(1);
        }
        else
        {
            throw new TimeoutException("The other process does nothing any more.");
        }

        _count++;
    }
}
