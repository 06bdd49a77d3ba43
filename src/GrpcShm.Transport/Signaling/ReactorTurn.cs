namespace GrpcShm.Transport.Signaling;

/// <summary>
/// A thread of a <see cref="Reactor"/> waits with this object while another thread leads. The waiting thread disposes
/// of it.
/// </summary>
internal sealed class ReactorTurn : IDisposable
{
    private readonly AutoResetEvent _signal = new(initialState: false);

    // Written before the event is set, read after the wait for the event.
    private bool _isOver;

    /// <summary>Lets the thread lead.</summary>
    public void Give() => _signal.Set();

    /// <summary>Lets the thread end.</summary>
    public void End()
    {
        _isOver = true;
        _signal.Set();
    }

    /// <summary>Waits for <see cref="Give"/> or <see cref="End"/>.</summary>
    /// <returns>Whether the thread leads from here on.</returns>
    public bool Wait()
    {
        while (true)
        {
            try
            {
                _signal.WaitOne();
                return !_isOver;
            }
            catch (ThreadInterruptedException)
            {
                // Foreign code that once ran here has kept a reference to the thread, and interrupts it now. The thread
                // does not run that code any more.
            }
        }
    }

    public void Dispose() => _signal.Dispose();
}
