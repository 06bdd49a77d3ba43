namespace GrpcShm.Fuzz;

/// <summary>Ends the process if one input takes too long. Nothing else could end it.</summary>
internal sealed class HangWatch : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly Timer _timer;
    private readonly string _target;
    private long _done;
    private long _seen = -1;

    public HangWatch(IFuzzTarget target)
    {
        _target = target.Name;
        _timer = new Timer(_ => Look(), null, Longest, Longest);
    }

    public void Done() => _done++;

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var done = Volatile.Read(ref _done);
        if (done == _seen)
        {
            Environment.FailFast(
                $"An input of '{_target}' takes longer than {Longest}. It is in the target's file 'current'.");
        }

        _seen = done;
    }
}
