using System.Runtime.CompilerServices;

namespace GrpcShm.EventBus.Forwarding;

/// <summary>Where the texts that the hub looks at lie in the bytes of an event.</summary>
[InlineArray(4)]
internal struct EventTexts
{
    private FieldRange _first;
}
