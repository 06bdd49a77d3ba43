namespace GrpcShm.EventBus;

/// <summary>Says that a handler threw. Its machine goes on with the next event.</summary>
/// <param name="Event">The event that the handler was to handle.</param>
/// <param name="Exception">The exception that the handler threw.</param>
public sealed record EventHandlerFailure(BusEvent Event, Exception Exception);
