using Grpc.Core;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>One call, as its handler sees it, whatever kind it is.</summary>
internal sealed record Act(
    Scene Scene,
    ScopedThing Thing,
    ServerCallContext Context,
    IReadOnlyList<string>? Request,
    IAsyncStreamReader<string>? Requests,
    IServerStreamWriter<string>? Responses)
{
    public void Note(string note) => Scene.Note(note);

    /// <summary>Reads all requests.</summary>
    public async Task<IReadOnlyList<string>> ReadAllAsync()
    {
        if (Request is not null)
        {
            return Request;
        }

        var all = new List<string>();
        while (await Requests!.MoveNext(CancellationToken.None))
        {
            all.Add(Requests.Current);
        }

        return all;
    }

    /// <summary>Reads what is left of the body of the HTTP request.</summary>
    /// <returns>The number of bytes.</returns>
    public async Task<long> CountBodyAsync()
    {
        using var copy = new MemoryStream();
        await Context.GetHttpContext().Request.Body.CopyToAsync(copy).InTime();
        return copy.Length;
    }
}
