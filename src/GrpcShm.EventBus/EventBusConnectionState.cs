namespace GrpcShm.EventBus;

/// <summary>How an <see cref="EventClient"/> stands with its hub.</summary>
public enum EventBusConnectionState
{
    /// <summary>Not connected, and not about to be.</summary>
    Disconnected,

    /// <summary>Connecting for the first time.</summary>
    Connecting,

    /// <summary>The session stands.</summary>
    Connected,

    /// <summary>The connection was lost, and the client tries to get it back.</summary>
    Reconnecting,
}
