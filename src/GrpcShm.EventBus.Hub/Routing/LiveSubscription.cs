using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// A subscription that stands, with the object by which it is ended: the machine of an inbox, an observer, or a watcher
/// of machines.
/// </summary>
internal sealed record LiveSubscription(
    Subscriber Subscriber, MachineEntry? Machine = null, Observer? Observer = null, MachineWatcher? Watcher = null)
{
    /// <summary>
    /// The wait for the routes that an observer could match. The observer may miss events until then. None if there are
    /// no such routes.
    /// </summary>
    public RouteSilence? Silence { get; set; }
}
