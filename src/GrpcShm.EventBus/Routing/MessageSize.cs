namespace GrpcShm.EventBus.Routing;

/// <summary>How large the messages of a session are, which hold events.</summary>
internal static class MessageSize
{
    /// <summary>The most bytes of a message that gRPC takes, unless somebody sets another limit.</summary>
    public const int UsualLimit = 4 * 1024 * 1024;

    /// <summary>
    /// A message with so many bytes gets no further events or commands. So it has at most so many bytes beside its last
    /// event or command.
    /// </summary>
    public const int Batch = 64 * 1024;

    /// <summary>The most bytes that an event may have at any hub.</summary>
    public const int LargestEvent = 1024 * 1024 * 1024;

    /// <summary>
    /// The room in a message beside its largest event: for the batch before that event, and for the ids, names and
    /// groups around each event, which are not a part of it.
    /// </summary>
    private const int Room = 1024 * 1024;

    /// <summary>The most bytes that a message must have room for, if an event may have so many.</summary>
    public static int LimitFor(int maxEventSize) => maxEventSize + Room;
}
