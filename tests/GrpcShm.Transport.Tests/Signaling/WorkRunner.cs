using System.Collections.Concurrent;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A reactor with a sentinel of its own, and a target that schedules the work that it is given.</summary>
internal sealed class WorkRunner : IReactorTarget, IDisposable
{
    private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
    private readonly ConcurrentQueue<ReactorWork[]> _batches = new();
    private readonly ReactorRegistration _registration;

    public WorkRunner()
        : this(TransportPlatform.Current.WatchThread)
    {
    }

    public WorkRunner(Func<ThreadWatch> watchThread)
    {
        Reactor = new Reactor(
            () => Poller = new TestPoller(TransportPlatform.Current.CreatePoller()),
            Name,
            new AdaptiveWait(TimeSpan.Zero),
            watchThread,
            static () => TimeSpan.Zero);
        Sentinel = new Sentinel([Reactor]);
        Reactor.WatchBy(Sentinel);
        _registration = Reactor.Register(_bell.Source, this);
    }

    public string Name { get; } = $"test reactor {Guid.NewGuid():N}";

    public Reactor Reactor { get; }

    /// <summary>The poller of the loop that runs, or ran last.</summary>
    public TestPoller? Poller { get; private set; }

    public Sentinel Sentinel { get; }

    /// <summary>Whether the calling thread is one of the reactor's.</summary>
    public bool IsHere => Thread.CurrentThread.Name == Name;

    /// <summary>Schedules actions in one turn of the reactor.</summary>
    public void Post(RunProfile profile, params Action[] actions)
    {
        _batches.Enqueue([.. actions.Select(action => new ActionWork(profile, action))]);
        _bell.Ring();
    }

    /// <summary>Runs an action on the reactor or the pool, as it decides, and waits for it.</summary>
    public async Task<T> RunAsync<T>(RunProfile profile, Func<T> action)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(profile, () =>
        {
            try
            {
                done.SetResult(action());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return await done.Task.InTime();
    }

    public void OnReady(Reactor reactor)
    {
        while (_batches.TryDequeue(out var batch))
        {
            Array.ForEach(batch, static work => work.Schedule());
        }
    }

    public void OnFault(Exception exception) => throw exception;

    public void Dispose()
    {
        _registration.Dispose();
        _bell.Dispose();
    }

    private sealed class ActionWork(RunProfile profile, Action action) : ReactorWork
    {
        public override RunProfile Profile => profile;

        public override void Run() => action();
    }
}
