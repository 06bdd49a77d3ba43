using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Room for further events, of which the other side is to be told. The default value is no room.</summary>
/// <param name="Session">The session whose hub gets it; or none.</param>
/// <param name="Route">The route that gets it; or none.</param>
/// <param name="Credit">The room; none if there is none.</param>
internal readonly record struct RoomGrant(SessionLink? Session, TargetRoute? Route, Credit? Credit)
{
    /// <summary>Tells the other side. Call it outside of all locks: a writer may run on this thread.</summary>
    public void Tell()
    {
        if (Credit is not null)
        {
            Session?.Note(new SessionCommand { Grant = Credit });
            Route?.GiveCredit(Credit);
        }
    }
}
