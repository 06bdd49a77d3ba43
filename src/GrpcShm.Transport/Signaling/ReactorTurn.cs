namespace GrpcShm.Transport.Signaling;

/// <summary>
/// What a thread of a <see cref="Reactor"/> waits for while another leads. Its thread disposes of it.
/// </summary>
internal sealed class ReactorTurn : IDisposable
{
    private readonly AutoResetEvent _signal = new(initialState: false);

    // Written before the event is set, read after it was waited for.
    private bool _isOver;

    /// <summary>Lets the thread lead.</summary>
    public void Give() => _signal.Set();

    /// <summary>Lets the thread end.</summary>
    public void End()
    {
        _isOver = true;
        _signal.Set();
    }

    /// <summary>Waits for one of the two.</summary>
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
                // Foreign code that ran here once has kept the thread, and interrupts it now. It is not in that code
                // any more.
            }
        }
    }

    public void Dispose() => _signal.Dispose();
}
