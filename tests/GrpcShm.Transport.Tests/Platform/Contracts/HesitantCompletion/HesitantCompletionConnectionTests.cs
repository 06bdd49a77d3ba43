using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantCompletion;

[Collection(AloneCollection.Name)]
public sealed class HesitantCompletionConnectionTests() : ConnectionContract(new HesitantMake(new CompletionMake()));
