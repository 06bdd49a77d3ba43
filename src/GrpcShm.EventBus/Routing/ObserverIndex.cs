namespace GrpcShm.EventBus.Routing;

/// <summary>The part of an event by which an observer is found: in full, or by how it begins.</summary>
internal enum ObserverIndex
{
    /// <summary>None: the observer is compared with each event.</summary>
    None,

    /// <summary>The machine that the event is for.</summary>
    Target,

    /// <summary>The group that the event is published to.</summary>
    Group,

    /// <summary>The machine that the event comes from.</summary>
    Source,

    /// <summary>The same, for an event that reports a change of state.</summary>
    ChangedSource,

    /// <summary>The name of the event.</summary>
    Name,
}
