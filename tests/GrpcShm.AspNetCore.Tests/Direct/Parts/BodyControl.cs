using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>Says whether synchronous methods of a body may be used.</summary>
internal sealed class BodyControl : IHttpBodyControlFeature
{
    public bool AllowSynchronousIO { get; set; }
}
