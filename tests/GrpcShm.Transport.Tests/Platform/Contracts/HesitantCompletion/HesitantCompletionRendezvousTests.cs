using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

public sealed class HesitantCompletionRendezvousTests() : RendezvousContract(new HesitantMake(new CompletionMake()));
