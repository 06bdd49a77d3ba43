namespace GrpcShm.EventBus.Routing;

/// <summary>What a filter compares of an event, whether the event is a message or its bytes.</summary>
internal interface IFilteredEvent
{
    string Name { get; }

    string Source { get; }

    string Target { get; }

    string Group { get; }

    /// <summary>True if the event says that its source changed its state.</summary>
    bool HasStateChange { get; }
}
