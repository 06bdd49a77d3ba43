using GrpcShm.EventBus.Local;

namespace GrpcShm.EventBus;

/// <summary>
/// A machine in the hub's own process. Made by <see cref="EventHub.RegisterMachineAsync"/>. It can be paused as a
/// <see cref="BusSubscription"/> is.
/// </summary>
public sealed class LocalMachine : IDisposable, IAsyncDisposable
{
    private readonly LocalReceiver _receiver;
    private readonly BusSubscription _subscription;

    internal LocalMachine(LocalReceiver receiver, Action end) =>
        (_receiver, _subscription) = (receiver, new BusSubscription(receiver, end));

    /// <summary>The machine's id.</summary>
    public string Id => _receiver.Name;

    /// <summary>Whether it is paused by <see cref="Pause"/>.</summary>
    public bool IsPaused => _subscription.IsPaused;

    /// <summary>
    /// Holds events back: they wait in the mailbox. An event whose handler runs, or is about to, is still handled. Does
    /// nothing if the machine is paused or has ended.
    /// </summary>
    public void Pause() => _subscription.Pause();

    /// <summary>Goes on with the events that have waited. Does nothing if the machine is not paused.</summary>
    public void Resume() => _subscription.Resume();

    /// <summary>
    /// Ends its handler, and unregisters the machine unless <see cref="EventHub.SubscribeAsync(string, Func{BusEvent,
    /// Task})"/> has given it another one. A handler that runs is not waited for; so the handler itself may call this.
    /// </summary>
    public void Dispose() => _subscription.Dispose();

    /// <summary>
    /// As <see cref="Dispose"/>, and waits for the handler of an unregistered machine to return. The handler itself
    /// must not await this: it would wait for its own end.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        if (_receiver.HasEnded)
        {
            await _receiver.Running.ConfigureAwait(false);
        }
    }
}
