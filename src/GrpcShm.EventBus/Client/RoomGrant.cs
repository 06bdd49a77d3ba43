using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Room for further events, which a session's hub is to be told of. The default value is none.</summary>
internal readonly record struct RoomGrant(SessionLink Session, Credit? Credit)
{
    /// <summary>Tells the hub. Not under a lock: the session's writer may run on this thread.</summary>
    public void Tell()
    {
        if (Credit is not null)
        {
            Session.Note(new SessionCommand { Grant = Credit });
        }
    }
}
