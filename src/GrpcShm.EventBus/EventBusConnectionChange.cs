namespace GrpcShm.EventBus;

/// <summary>Says that the connection of an <see cref="EventClient"/> to its hub has changed.</summary>
/// <param name="State">The state of the connection now.</param>
/// <param name="Reason">The cause, or <see langword="null"/> if the program wished for the change.</param>
public sealed record EventBusConnectionChange(EventBusConnectionState State, Exception? Reason);
