namespace GrpcShm.EventBus;

/// <summary>The state of the connection of an <see cref="EventClient"/> to its hub.</summary>
public enum EventBusConnectionState
{
    /// <summary>Not connected, and not about to be.</summary>
    Disconnected,

    /// <summary>Connecting for the first time.</summary>
    Connecting,

    /// <summary>The client has a session with the hub.</summary>
    Connected,

    /// <summary>The connection was lost, and the client tries to get it back.</summary>
    Reconnecting,
}
