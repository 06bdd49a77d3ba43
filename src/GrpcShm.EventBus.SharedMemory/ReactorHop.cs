using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.EventBus;

/// <summary>
/// Lets the code that awaits an operation of a connection go on where a reactor's work runs: on the reactor, which is
/// away meanwhile, or on the thread pool. The operation may complete on the reactor's thread, where no foreign code may
/// run. One operation at a time; it allocates nothing.
/// </summary>
/// <typeparam name="T">The result of the operation.</typeparam>
internal sealed class ReactorHop<T> : ReactorWork, IValueTaskSource<T>
{
    private readonly Action _schedule;
    private ManualResetValueTaskSourceCore<T> _completion;
    private ConfiguredValueTaskAwaitable<T>.ConfiguredValueTaskAwaiter _operation;

    /// <param name="profile">Decides where the code goes on.</param>
    public ReactorHop(RunProfile profile) => (Profile, _schedule) = (profile, Schedule);

    public override RunProfile Profile { get; }

    /// <summary>Gives back the operation, or one that completes where the caller may go on.</summary>
    /// <param name="operation">The operation. Nobody else awaits it.</param>
    public ValueTask<T> Await(ValueTask<T> operation)
    {
        if (operation.IsCompleted)
        {
            return operation;
        }

        _completion.Reset();
        var version = _completion.Version;
        _operation = operation.ConfigureAwait(false).GetAwaiter();
        _operation.UnsafeOnCompleted(_schedule);
        return new ValueTask<T>(this, version);
    }

    public override void Run()
    {
        T result;
        try
        {
            result = _operation.GetResult();
        }
        catch (Exception exception)
        {
            _completion.SetException(exception);
            return;
        }

        // The caller goes on inside of this, and may await the next operation there. It may even run here again, on
        // another thread, before this returns. So nothing of this object is touched behind it.
        _completion.SetResult(result);
    }

    public T GetResult(short token) => _completion.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _completion.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);
}
