namespace GrpcShm.EventBus;

/// <summary>Says that a handler threw. Its machine goes on with the next event.</summary>
/// <param name="Event">The event that it was to handle.</param>
/// <param name="Exception">What it threw.</param>
public sealed record EventHandlerFailure(BusEvent Event, Exception Exception);
