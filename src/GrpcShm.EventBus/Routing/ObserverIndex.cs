namespace GrpcShm.EventBus.Routing;

/// <summary>By which part of an event an observer is found.</summary>
internal enum ObserverIndex
{
    /// <summary>By none: it is compared with each event.</summary>
    None,

    /// <summary>The machine that the event is for.</summary>
    Target,

    /// <summary>The group that it is published to.</summary>
    Group,

    /// <summary>The machine that it comes from.</summary>
    Source,

    /// <summary>The same, of an event that tells of a change of state.</summary>
    ChangedSource,

    /// <summary>Its name.</summary>
    Name,
}
