using System.Net;
using System.Runtime.CompilerServices;

namespace GrpcShm.AspNetCore.Hosting;

/// <summary>Where the endpoints of servers have been named, for messages.</summary>
internal static class EndPointPlaces
{
    private static readonly ConditionalWeakTable<EndPoint, string> Places = [];

    /// <summary>Notes the place of an endpoint that no code has named.</summary>
    public static void Note(EndPoint endPoint, string place) => Places.AddOrUpdate(endPoint, place);

    /// <summary>The place where an endpoint has been named.</summary>
    public static string Of(EndPoint endPoint) =>
        Places.TryGetValue(endPoint, out var place) ? place : "code (ListenSharedMemory)";
}
