namespace GrpcShm.EventBus.Forwarding;

/// <summary>The texts of an event that the hub itself looks at.</summary>
internal enum EventPart
{
    /// <summary>The event's id.</summary>
    Id,

    /// <summary>The event's name.</summary>
    Name,

    /// <summary>The machine that it comes from.</summary>
    Source,

    /// <summary>The machine that it is for.</summary>
    Target,
}
