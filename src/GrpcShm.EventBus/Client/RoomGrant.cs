using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Room for further events, of which the hub is to be told. The default value is no room.</summary>
internal readonly record struct RoomGrant(SessionLink Session, Credit? Credit)
{
    /// <summary>Tells the hub. Call it outside of all locks: the session's writer may run on this thread.</summary>
    public void Tell()
    {
        if (Credit is not null)
        {
            Session.Note(new SessionCommand { Grant = Credit });
        }
    }
}
