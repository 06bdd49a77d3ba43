using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Room for further events, of which the other sides are to be told. The default value is no room.</summary>
/// <param name="Session">The session whose hub gets room; or none.</param>
/// <param name="Credit">Its room.</param>
/// <param name="Route">The route that gets room; or none.</param>
/// <param name="RouteCredit">Its room.</param>
internal readonly record struct RoomGrant(
    SessionLink? Session, Credit? Credit, TargetRoute? Route, Credit? RouteCredit)
{
    /// <summary>Tells the other sides. Call it outside of all locks: a writer may run on this thread.</summary>
    public void Tell()
    {
        if (Credit is not null)
        {
            Session?.Note(new SessionCommand { Grant = Credit });
        }

        if (RouteCredit is not null)
        {
            Route?.GiveCredit(RouteCredit);
        }
    }
}
