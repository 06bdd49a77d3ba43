namespace GrpcShm.EventBus;

/// <summary>Says that an <see cref="EventClient"/> stands differently with its hub than before.</summary>
/// <param name="State">How it stands now.</param>
/// <param name="Reason">What led to it, or <see langword="null"/> if it was wished for.</param>
public sealed record EventBusConnectionChange(EventBusConnectionState State, Exception? Reason);
